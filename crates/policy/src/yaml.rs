//! YAML documents with the place of every node.
