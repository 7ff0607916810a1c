"""People and what they may see: accounts, memberships, tokens, sign-in links."""

from django.contrib.auth.models import AbstractUser


class Person(AbstractUser):
    pass
