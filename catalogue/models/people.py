"""People who sign in. A role says what work they do; their organisation says whose records they see."""

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields) -> "User":
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields) -> "User":
        fields |= {"is_staff": True, "is_superuser": True, "role": User.Role.ADMINISTRATOR}
        return self.create_user(email, password, **fields)


class User(AbstractUser):
    """Somebody with a sign-in. Signs in by e-mail address."""

    class Role(models.TextChoices):
        REFERRER = "referrer", "Referrer"
        PROVIDER = "provider", "Provider"
        MANAGER = "manager", "Manager"
        CURATOR = "curator", "Directory curator"
        ADMINISTRATOR = "administrator", "Administrator"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    role = models.CharField(max_length=20, choices=Role.choices)
    job_title = models.CharField(max_length=100, blank=True)
    organization = models.ForeignKey("catalogue.Organization", on_delete=models.PROTECT, null=True, blank=True, related_name="users")
    keeps_keys = models.BooleanField(
        default=False, db_default=False, help_text="Of a provider: makes the keys by which its computer systems tell what is free."
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(organization__isnull=False) | models.Q(role="administrator"),
                name="user_has_an_organization",
                violation_error_message="Everybody but an administrator belongs to an organisation.",
            )
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    @property
    def is_professional(self) -> bool:
        return self.is_active and bool(self.role)

    @property
    def is_referrer(self) -> bool:
        return self.role == self.Role.REFERRER

    @property
    def is_provider(self) -> bool:
        return self.role == self.Role.PROVIDER

    @property
    def is_manager(self) -> bool:
        return self.role == self.Role.MANAGER

    @property
    def is_curator(self) -> bool:
        return self.role == self.Role.CURATOR

    @property
    def is_administrator(self) -> bool:
        return self.role == self.Role.ADMINISTRATOR
