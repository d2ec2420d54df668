/** The page at /docs: Swagger UI over the OpenAPI document, from this server alone. */

/* global SwaggerUIBundle */

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#interface",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  presets: [SwaggerUIBundle.presets.apis],
  validatorUrl: null,
});
