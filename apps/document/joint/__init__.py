"""Joint issue 联合行文 and countersigning 会签: organs that issue a document together, and organs whose consent it needs."""
