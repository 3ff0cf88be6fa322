// Shows /apispec.json, and only that: what the page's own address says (?url=, ?configUrl=) is not looked at.
window.ui = SwaggerUIBundle({
  url: "/apispec.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  queryConfigEnabled: false,
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
});
