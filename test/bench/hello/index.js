/** The hello world of functions-framework, started from its command line. */
export const hello = (_request, response) => {
  response.send('Hello, World');
};
