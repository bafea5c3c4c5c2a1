"""Tenants 租户: organs that run their own affairs inside another's installation."""

from authz.tenant.errors import AlreadyTenant, NoTenant, TenantUnmanned
from authz.tenant.figures import Figures
from authz.tenant.records import MARKS, Tenant
from authz.tenant.tenants import Tenants

__all__ = [
    "MARKS",
    "AlreadyTenant",
    "Figures",
    "NoTenant",
    "Tenant",
    "TenantUnmanned",
    "Tenants",
]
