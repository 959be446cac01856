/** Vite turns an imported stylesheet into a file that the page loads with the module. */
declare module '*.css';
