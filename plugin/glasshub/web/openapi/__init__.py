"""The OpenAPI document of the hub's own API: one YAML file per noun, and what makes one document of them."""
