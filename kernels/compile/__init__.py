"""How Python becomes machine code: options, the cache on disk and its keys, functions rebuilt with other globals."""
