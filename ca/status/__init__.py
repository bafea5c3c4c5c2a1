"""证书状态 What is said of certificates after they were issued: see README.md for what it promises."""
