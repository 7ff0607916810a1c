"""The HTTP API: thin doors over `pricing.answers` and the reads of usage. `config.api` assembles them."""
