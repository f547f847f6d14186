"""Who exists: organizations (tenants) and users (logins). What a user may do stands in teams.Member alone."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Final

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.validators import validate_person_name, validate_time_zone
from lendconsole.tenancy import TenantModel

RESERVED_SLUGS: Final = frozenset({"new", "admin", "static", "accounts"})


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def active(self) -> OrganizationQuerySet:
        return self.filter(suspended_at=None)


class Organization(models.Model):
    """One lender. Everything else belongs to exactly one of these."""

    name = models.CharField(max_length=120, validators=[validate_person_name])
    slug = models.SlugField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", "Small letters, digits and single hyphens only.")],
    )
    time_zone = models.CharField(max_length=64, default="Africa/Lagos", validators=[validate_time_zone])
    phone_region = models.CharField("region of phone numbers", max_length=2, default="NG")
    currency = models.CharField(max_length=3, default="NGN")
    contact_email = models.EmailField(blank=True)
    contact_phone = models.CharField(max_length=20, blank=True)
    website = models.URLField("web site", blank=True, default="", db_default="")
    sender_name = models.CharField(
        max_length=80,
        blank=True,
        default="",
        db_default="",
        validators=[validate_person_name],
        help_text="in place of the name, before the address of e-mails",
    )
    reply_to = models.EmailField(
        blank=True, default="", db_default="", help_text="in place of the contact address, where answers to e-mails go"
    )
    invitation_days = models.PositiveSmallIntegerField(default=7, db_default=7)
    muted_emails = ArrayField(
        models.CharField(max_length=60), default=list, db_default=[], blank=True, help_text="kinds that nobody gets"
    )
    logo_digest = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    exclusive_assignments = models.BooleanField(
        default=True,
        help_text="A customer with an account manager is open in full to that member and to overseers only.",
    )
    requires_second_factor = models.BooleanField(default=True)
    second_factor_due_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="until then a second factor is asked for and can wait"
    )
    session_idle_minutes = models.PositiveSmallIntegerField(default=30, db_default=30)
    session_hours = models.PositiveSmallIntegerField(default=12, db_default=12)
    customer_number_prefix = models.CharField(max_length=8, default="C")
    last_customer_number = models.PositiveBigIntegerField(default=0, help_text="The highest number given so far.")
    suspended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.suspended_at is None

    @property
    def second_factor_is_due(self) -> bool:
        """Whether somebody without a second factor has to set one up before anything else."""
        due = self.second_factor_due_at
        return self.requires_second_factor and (due is None or due <= timezone.now())


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=self.normalize_email(username))

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Addresses are stored and compared in small letters."""
        return (email or "").strip().lower()

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A login. The superuser flag, groups and global permissions of Django exist for its libraries and mean nothing here."""

    email = models.EmailField("e-mail", max_length=254, unique=True)
    first_name = models.CharField(max_length=80, validators=[validate_person_name])
    last_name = models.CharField(max_length=80, validators=[validate_person_name])
    wanted_email = models.EmailField(
        blank=True, default="", db_default="", editable=False, help_text="until its owner confirms it"
    )
    wanted_email_nonce = models.CharField(max_length=40, blank=True, default="", db_default="", editable=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["first_name", "last_name"]

    objects = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="accounts_user_email_once")]

    def __str__(self) -> str:
        return self.email

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email

    @property
    def initials(self) -> str:
        return (self.first_name[:1] + self.last_name[:1]).upper() or self.email[:1].upper()


class Submission(TenantModel):
    """A form that was carried out. The same key again means the button was pressed twice: the first outcome is shown."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.UUIDField(default=uuid.uuid4)
    path = models.CharField(max_length=300)
    outcome_url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["organization", "user", "key"], name="accounts_submission_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="accounts_submission_age")]

    def __str__(self) -> str:
        return f"{self.path} ({self.key})"


class OrganizationLogo(TenantModel):
    """The picture itself, a PNG, beside the organization's row, which every request reads. In the database it is there
    for every web process and in every backup."""

    content = models.BinaryField()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["organization"], name="accounts_organizationlogo_once"),
        ]

    def __str__(self) -> str:
        return f"Logo of {self.organization}"
