"""The assets, one module per stage. Each reads its upstream's document, calls refresh/ and reports the result."""
