"""Templates of an organ (模板): the fixed text of a kind of document, what is to be filled in, and the phrases it uses."""
