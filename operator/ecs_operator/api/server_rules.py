"""Validation rules of EcsServer: between fields, and between the old and the new object."""

from __future__ import annotations

from ecs_operator.api.group import RESERVED_METADATA_PREFIX
from ecs_operator.api.rules import Rule, at_most_one

# Metadata the cloud gives a meaning to (ECS API reference, tables 8-8 and 8-17), and where to say it instead.
_OWN_FIELDS = {"admin_pass": "adminPasswordSecretRef", "agency_name": "agencyName"}

METADATA_RULES: tuple[Rule, ...] = (
    Rule(
        test=f"self.all(k, !k.startsWith('{RESERVED_METADATA_PREFIX}'))",
        message=f"keys that begin with {RESERVED_METADATA_PREFIX} are reserved for the operator: remove them",
        reason="FieldValueForbidden",
    ),
    Rule(
        test="self.all(k, k.matches('^[A-Za-z0-9_.:-]{1,255}$'))",
        message="keys are 1 to 255 of A-Z a-z 0-9 - _ : and dot",
        message_expression="'keys are 1 to 255 of A-Z a-z 0-9 - _ : and dot: rename %s'"
        ".format([self.filter(k, !k.matches('^[A-Za-z0-9_.:-]{1,255}$'))])",
    ),
    *(
        Rule(
            test=f"!('{key}' in self)",
            message=f"the key {key} belongs to the cloud: use spec.{field} instead",
            reason="FieldValueForbidden",
        )
        for key, field in _OWN_FIELDS.items()
    ),
    Rule(
        test="!('virtual_env_type' in self) && !('op_svc_userid' in self)",
        message="the keys virtual_env_type and op_svc_userid are set by the cloud only: remove them",
        reason="FieldValueForbidden",
    ),
)

TAG_RULES: tuple[Rule, ...] = (
    Rule(
        test="self.all(k, k.matches('^[\\\\x{4e00}-\\\\x{9fff}A-Za-z0-9_-]{1,36}$'))",
        message="keys are 1 to 36 of A-Z a-z 0-9 _ - and Chinese characters",
        message_expression="'keys are 1 to 36 of A-Z a-z 0-9 _ - and Chinese characters: rename %s'"
        ".format([self.filter(k, !k.matches('^[\\\\x{4e00}-\\\\x{9fff}A-Za-z0-9_-]{1,36}$'))])",
    ),
)

SERVER_SPEC_RULES: tuple[Rule, ...] = (
    Rule(
        test="!has(self.name) || self.name.size() <= 64 || self.name.matches('^[A-Za-z0-9_.-]*$')",
        message="name has at most 64 characters if Chinese ones are among them: shorten it",
        message_expression="'name has %d characters, with Chinese ones among them at most 64: shorten it'.format([self.name.size()])",
        field=".name",
    ),
    Rule(
        test="self.networkInterfaces.all(a, !has(a.ipAddress) || "
        "self.networkInterfaces.exists_one(b, has(b.ipAddress) && b.ipAddress == a.ipAddress))",
        message="two networkInterfaces have the same ipAddress: change or remove one",
        field=".networkInterfaces",
    ),
    Rule(
        test="!has(self.keyPairName) || !has(self.adminPasswordSecretRef)",
        message="set at most one of keyPairName and adminPasswordSecretRef: remove the one that is not to be used for signing in",
        field=".adminPasswordSecretRef",
    ),
    at_most_one("serverGroupRef", "serverGroupId"),
    Rule(
        test="!has(self.metadata) || "
        "self.metadata.size() + (has(self.agencyName) ? 1 : 0) + (has(self.adminPasswordSecretRef) ? 1 : 0) <= 9",
        message="too many metadata pairs: 9 at most, one less with agencyName, one less with adminPasswordSecretRef",
        message_expression="'metadata has %d pairs, at most %d are allowed (10, less the operator\\'s mark, agencyName and "
        "adminPasswordSecretRef where set): remove some'"
        ".format([self.metadata.size(), 9 - (has(self.agencyName) ? 1 : 0) - (has(self.adminPasswordSecretRef) ? 1 : 0)])",
        field=".metadata",
    ),
)
