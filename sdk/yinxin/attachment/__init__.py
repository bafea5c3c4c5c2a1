"""Attachments: files of any application's objects, by their content, sent in parts, never held in memory."""

from yinxin.attachment.module import MODULE
from yinxin.attachment.service import Attachments
from yinxin.attachment.settings import AttachmentSettings

__all__ = ["MODULE", "AttachmentSettings", "Attachments"]
