"""View to styled lines, as pure functions: everything an operator reads is decided here and tested as text."""
