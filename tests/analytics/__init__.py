"""Analytics: pure functions against arithmetic, laws and published numbers."""
