"""Smart order routing: where an order goes when several venues trade the same thing."""
