"""The page: the template, the style, and what fills them."""
