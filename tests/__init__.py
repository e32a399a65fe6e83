"""The suite. A package, so that a folder named like one of ours (tests/bus) never stands in for it."""
