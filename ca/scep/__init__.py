"""The Simple Certificate Enrolment Protocol (RFC 8894): see README.md for what it promises."""
