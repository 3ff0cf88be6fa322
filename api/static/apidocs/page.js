// Starts Swagger UI with the plug-ins of the other files. It shows only this server's document; parameters of the page's
// address (?url=, ?configUrl=) are ignored.

const OPTIONS = {
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  queryConfigEnabled: false,
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  filter: true,
  requestSnippetsEnabled: true,
  defaultModelsExpandDepth: 0,
  plugins: [{ wrapComponents: { modelExample: unfolded } }, exactExamples, exactAnswers, searching, samples, filledForms],
  requestInterceptor: (request) => (request.loadSpec ? request : { ...request, userFetch: fetchBriefly }),
};

// Expands a body's schema down to its arguments' types; a choice among operations only down to their names.
function unfolded(ModelExample, { React }) {
  return (shown) => {
    const depth = shown.schema?.has("oneOf") ? 1 : 3;
    const getConfigs = () => ({ ...shown.getConfigs(), defaultModelExpandDepth: depth });
    return React.createElement(ModelExample, { ...shown, getConfigs });
  };
}

// Shows the document, at the start and whenever the examples are switched on or off.
async function showDocument() {
  try {
    const spec = await loadDocument();
    if (window.ui) window.ui.specActions.updateSpec(JSON.stringify(spec));
    else window.ui = SwaggerUIBundle({ ...OPTIONS, spec });
  } catch (fault) {
    const sentence = document.createElement("p");
    sentence.className = "loading";
    sentence.setAttribute("role", "alert");
    sentence.textContent = `The documentation can't be loaded. ${fault.message} Reload the page to try again.`;
    document.getElementById("swagger-ui").replaceChildren(sentence);
    window.ui = null;
  }
}

showDocument();
