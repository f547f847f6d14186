"""The outbox: an e-mail is a row, written with the fact it announces and sent afterwards by a worker."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from lendconsole.tenancy import CurrentOrganization, RowLevelSecurity
from notifications.querysets import OutgoingEmailQuerySet


class OutgoingEmail(models.Model):
    """One e-mail to one address.

    What it says is rendered when it is sent, from `kind` and `payload` (ids and labels); tokens are made then, so that
    no usable link is ever stored. Account mails (password reset and the like) belong to no organization and keep
    their text in `sealed_body`, encrypted, until they are sent.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"

    organization = models.ForeignKey(
        "accounts.Organization",
        models.PROTECT,
        null=True,
        db_default=CurrentOrganization(),
        db_index=False,
        related_name="+",
    )
    kind = models.CharField(
        max_length=60, help_text="template below templates/emails/, such as customers/manager_assigned"
    )
    dedupe_key = models.CharField(max_length=200, help_text="names the event; the same key is the same e-mail")
    topic = models.CharField(
        max_length=100, blank=True, help_text="what later events may cancel, such as customer:7:account_manager"
    )
    recipient = models.EmailField()
    recipient_label = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=300)
    payload = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    sealed_body = models.TextField(blank=True)
    sent_body = models.JSONField(null=True, help_text="text and html, kept in development only, for /dev/mailbox")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    state_reason = models.CharField(
        max_length=500, blank=True, help_text="why it was canceled or what the mail server said"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    available_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    objects = OutgoingEmailQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "id"], name="notifications_outgoingemail_key"),
            RowLevelSecurity("organization", name="notifications_outgoingemail_tenant", nullable=True),
            models.UniqueConstraint(
                fields=["organization", "dedupe_key"], name="notifications_outgoingemail_once", nulls_distinct=False
            ),
        ]
        indexes = [
            models.Index(
                fields=["available_at", "id"], name="notifications_outbox_ready", condition=models.Q(state="pending")
            ),
            models.Index(fields=["organization", "-created_at", "-id"], name="notifications_outbox_recent"),
            models.Index(fields=["organization", "state", "-created_at", "-id"], name="notifications_outbox_state"),
            models.Index(
                fields=["organization", "topic"], name="notifications_outbox_topic", condition=models.Q(state="pending")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {self.recipient}"

    @property
    def audit_label(self) -> str:
        """Subjects name customers, and addresses are theirs: the log cannot forget, so it never learns them."""
        return f"{self.kind.rpartition('/')[2].replace('_', ' ')} ({self.pk})"
