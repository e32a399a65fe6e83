"""The few widgets the pages are made of; all of them paint lines and remember what they painted."""
