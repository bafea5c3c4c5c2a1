"""The directory for other systems, by SCIM 2.0 (RFC 7642 to 7644).

`authz.scim.service.Scim` is imported where it is used: the library behind it takes its time, and most commands need none.
"""
