"""Text → typed configuration: node.yaml becomes a located tree, the tree a checked model, the model core settings."""
