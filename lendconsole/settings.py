"""Settings, all from the environment (see .env.example). Outside development a missing or default secret refuses to start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from lendconsole import addresses, devstack

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
# Secrets and addresses have defaults, and /dev/mailbox is there. The demo is that without Django's own pages of errors.
DEVELOPMENT = env.bool("DEVELOPMENT", default=DEBUG)


def secret(name: str, development: str) -> str:
    """A secret from the environment or the file that `<name>_FILE` points at. Development alone has a default."""
    value = env.str(name, default=development if DEVELOPMENT else "")
    if not DEVELOPMENT and (len(value) < 32 or value == development):
        raise ImproperlyConfigured(
            f"Set {name} to a secret of at least 32 characters (or DEVELOPMENT=1 on a development machine)."
        )
    return value


SECRET_KEY = secret("SECRET_KEY", "development-only-secret-key-never-used-outside-debug")
FIELD_ENCRYPTION_KEYS = secret("FIELD_ENCRYPTION_KEYS", "ZGV2ZWxvcG1lbnQtb25seS1rZXktMzItYnl0ZXMtISE=").split(",")
FIELD_FINGERPRINT_KEY = secret("FIELD_FINGERPRINT_KEY", "development-only-fingerprint-key-never-used")
for key in FIELD_ENCRYPTION_KEYS:
    try:
        Fernet(key)
    except ValueError:
        raise ImproperlyConfigured("Each of FIELD_ENCRYPTION_KEYS must be a Fernet key; see .env.example.") from None
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEVELOPMENT else [])
BASE_URL = env.str(
    "BASE_URL", default=f"http://localhost:{env.int('PORT', default=8000)}" if DEVELOPMENT else ""
).rstrip("/")
if not BASE_URL:
    raise ImproperlyConfigured(
        "Set BASE_URL to the address people reach the console at, such as https://console.example.com."
    )
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

INSTALLED_APPS = [
    "lendconsole",
    "accounts",
    "audit",
    "notifications",
    "teams",
    "customers",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "guardian",
    "django_htmx",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "lendconsole.middleware.RequestOriginMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "csp.middleware.CSPMiddleware",
    "lendconsole.middleware.PrivacyHeadersMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.SessionLifetimeMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "lendconsole.middleware.MemberMiddleware",
]

ROOT_URLCONF = "lendconsole.urls"
WSGI_APPLICATION = "lendconsole.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lendconsole.context_processors.console",
            ],
        },
    }
]
FORM_RENDERER = "lendconsole.forms.UIRenderer"


# --- Database: two logins, the owner of the tables for migrations and a restricted one for everything else -----------


def database(variable: str, default: str) -> dict[str, Any]:
    return addresses.database(variable, env.str(variable, default=default))


DATABASE_URL = env.str("DATABASE_URL", default=devstack.database_url("lendconsole_app", "lendconsole"))
DATABASES = {"default": database("DATABASE_URL", DATABASE_URL)}
DATABASE_OWNER = database(
    "DATABASE_OWNER_URL",
    DATABASE_URL if "DATABASE_URL" in env.ENVIRON else devstack.database_url("lendconsole_owner", "lendconsole"),
)
DATABASE_RUNTIME_ROLE: str = DATABASES["default"]["USER"]
DATABASE_SEARCH_ROLE = env.str("DATABASE_SEARCH_ROLE", default="lendconsole_search")
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["TEST"] = {"NAME": env.str("TEST_DATABASE_NAME", default="test_lendconsole")}
if env.bool("DB_POOL", default=False):
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.int("DB_POOL_SIZE", default=8),
        "timeout": 10,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Cache, sessions, queue: each keeps working, slower, while Valkey is away ------------------------------------------

REDIS_URL = addresses.redis("REDIS_URL", env.str("REDIS_URL", default=devstack.redis_url(1)))
CACHES = {
    "default": {
        "BACKEND": "lendconsole.cache.Cache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 1},
    }
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SAMESITE = "Lax"

CELERY_BROKER_URL = addresses.redis(
    "CELERY_BROKER_URL",
    env.str("CELERY_BROKER_URL", default=REDIS_URL if "REDIS_URL" in env.ENVIRON else devstack.broker_url(0)),
    addresses.BROKER_SCHEMES,
)
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.05,
    "interval_max": 0.1,
    "socket_connect_timeout": 0.5,
}
CELERY_BEAT_SCHEDULE = {
    "sweep-outbox": {"task": "notifications.tasks.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "forget-old-emails": {"task": "notifications.tasks.forget_old_emails", "schedule": 3600.0},
    "remind-invited-people": {"task": "teams.tasks.remind_invited_people", "schedule": 3600.0},
    "sweep-exports": {"task": "customers.tasks.sweep_exports", "schedule": 60.0, "options": {"expires": 60}},
    "sweep-bulk-changes": {"task": "customers.tasks.sweep_bulk_changes", "schedule": 60.0, "options": {"expires": 60}},
    "forget-former-statuses": {"task": "customers.tasks.forget_former_statuses", "schedule": 3600.0},
    "forget-exports": {"task": "customers.tasks.forget_exports", "schedule": 600.0},
    "sweep-imports": {"task": "customers.tasks.sweep_imports", "schedule": 60.0, "options": {"expires": 60}},
    "forget-imports": {"task": "customers.tasks.forget_imports", "schedule": 600.0},
    "check-access": {"task": "customers.tasks.check_access", "schedule": 24 * 3600.0},
    "forget-sessions": {"task": "accounts.tasks.forget_sessions", "schedule": 3600.0},
    "forget-submissions": {"task": "accounts.tasks.forget_submissions", "schedule": 3600.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = env.str(
    "CELERY_BEAT_SCHEDULE_FILENAME", default=str(devstack.STATE / "celerybeat-schedule")
)

# --- E-mail ------------------------------------------------------------------------------------------------------------

EMAIL_CONFIG = addresses.email("EMAIL_URL", env.str("EMAIL_URL", default="dummymail://" if DEVELOPMENT else env.NOTSET))
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)  # seconds for each answer of the mail server
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default="lendconsole <no-reply@localhost>" if DEVELOPMENT else env.NOTSET
)
ASSIGNMENT_MAIL_HOLD_SECONDS = env.int("ASSIGNMENT_MAIL_HOLD_SECONDS", default=10 if DEVELOPMENT else 60)
KEEP_SENT_BODIES = DEVELOPMENT  # /dev/mailbox shows them
BORROWER_LINK_HOURS = 72

# --- Sign-in -----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "lendconsole.passwords.CommonPasswordValidator"},
    {"NAME": "lendconsole.passwords.ContextWordsValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("first_name", "last_name", "email")},
    },
]
PASSWORD_RESET_TIMEOUT = 60 * 60
SESSION_IDLE_SECONDS = 30 * 60
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "lendconsole.account_adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "reauthenticate": "accounts.forms.ConfirmPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True  # the adapter rehearses that mail, so that both answers take as long
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/h/key",
    "change_email": "5/h/user",
}
MFA_ADAPTER = "lendconsole.account_adapter.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.SecondFactorForm",
    "reauthenticate": "accounts.forms.ConfirmSecondFactorForm",
    "activate_totp": "accounts.forms.ActivateAppForm",
    "add_webauthn": "accounts.forms.AddPasskeyForm",
    "edit_webauthn": "accounts.forms.RenamePasskeyForm",
    "login_webauthn": "accounts.forms.SignInPasskeyForm",
    "authenticate_webauthn": "accounts.forms.SecondFactorPasskeyForm",
    "reauthenticate_webauthn": "accounts.forms.ConfirmPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "lendconsole"
MFA_TOTP_TOLERANCE = 1
USERSESSIONS_TRACK_ACTIVITY = False  # SessionLifetimeMiddleware does it, every five minutes
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
KNOWN_BROWSER_COOKIE_NAME = "known_browser" if DEVELOPMENT else "__Host-known_browser"

# --- guardian: object permissions only; no phantom user, no group or global shortcuts ----------------------------------

ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_MONKEY_PATCH_GROUP = False
GUARDIAN_RAISE_403 = True

# --- Security headers --------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if not DEVELOPMENT:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
CSRF_COOKIE_HTTPONLY = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# --- Static files, language, time --------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_MANIFEST = env.bool("STATIC_MANIFEST", default=not DEVELOPMENT)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "lendconsole.static.ManifestStorage"
        if STATIC_MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST
WHITENOISE_AUTOREFRESH = False
LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# --- Logs: structured, without personal data ---------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        "json": {"()": "lendconsole.logs.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain" if DEVELOPMENT else "json"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
