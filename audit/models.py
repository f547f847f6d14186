"""The log of what happened. Rows are added, never changed: the restricted login has no right to, and a trigger refuses everyone."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from audit.querysets import AuditEventQuerySet
from audit.verbs import Verb
from lendconsole.tenancy import TenantModel


class AuditEvent(TenantModel):
    """Who did what to which record, before and after. Actor and target keep their label, so the line outlives them."""

    append_only = True

    at = models.DateTimeField(default=timezone.now)
    verb = models.CharField(max_length=60, choices=Verb)
    actor_id = models.BigIntegerField(null=True, help_text="teams.Member; none for the system and operators")
    actor_label = models.CharField(max_length=200)
    target_type = models.CharField(max_length=60, help_text="model label, such as customers.customer")
    target_id = models.BigIntegerField(null=True)
    target_label = models.CharField(max_length=300)
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    reason = models.CharField(max_length=500, blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["organization", "-at", "-id"], name="audit_event_recent"),
            models.Index(fields=["organization", "target_type", "target_id", "-at", "-id"], name="audit_event_target"),
            models.Index(fields=["organization", "actor_id", "-at", "-id"], name="audit_event_actor"),
            models.Index(fields=["organization", "verb", "-at", "-id"], name="audit_event_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.get_verb_display()} {self.target_label}"
