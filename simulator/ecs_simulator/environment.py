"""An account in the words of other tools: environment variables that the OpenStack command line and the vendor's SDK read."""

from __future__ import annotations

from collections.abc import Mapping


def environment(account: Mapping[str, str], *, api: str) -> dict[str, str]:
    """Return the variables for an account as ``GET /_sim/accounts`` describes it; those it has nothing for are left out."""
    variables = {
        "OS_AUTH_TYPE": "password",
        "OS_IDENTITY_API_VERSION": "3",
        "OS_AUTH_URL": f"{api}/v3",
        "OS_USERNAME": account["username"],
        "OS_PASSWORD": account["password"],
        "OS_USER_DOMAIN_NAME": account["domainName"],
        "OS_PROJECT_DOMAIN_NAME": account["domainName"],
        "OS_PROJECT_NAME": account["projectName"],
        "OS_PROJECT_ID": account["projectId"],
        "OS_REGION_NAME": account["region"],
        "HUAWEICLOUD_SDK_AK": account["accessKey"],
        "HUAWEICLOUD_SDK_SK": account["secretKey"],
        "HUAWEICLOUD_SDK_PROJECT_ID": account["projectId"],
        "ECS_SIMULATOR_URL": api,
    }
    return {name: value for name, value in variables.items() if value}
