"""Regions, and what of a region's ids can be told from the id alone.

Checked on 2026-11-24. Zone ids: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
(China and GovCloud: the zone ids that `aws ec2 describe-availability-zones` prints there).
"""

from __future__ import annotations

# Region → what its zone ids start with, before "-az".
ZONE_PREFIXES = {
    "af-south-1": "afs1",
    "ap-east-1": "ape1",
    "ap-east-2": "ape2",
    "ap-northeast-1": "apne1",
    "ap-northeast-2": "apne2",
    "ap-northeast-3": "apne3",
    "ap-south-1": "aps1",
    "ap-south-2": "aps2",
    "ap-southeast-1": "apse1",
    "ap-southeast-2": "apse2",
    "ap-southeast-3": "apse3",
    "ap-southeast-4": "apse4",
    "ap-southeast-5": "apse5",
    "ap-southeast-6": "apse6",
    "ap-southeast-7": "apse7",
    "ca-central-1": "cac1",
    "ca-west-1": "caw1",
    "cn-north-1": "cnn1",
    "cn-northwest-1": "cnnw1",
    "eu-central-1": "euc1",
    "eu-central-2": "euc2",
    "eu-north-1": "eun1",
    "eu-south-1": "eus1",
    "eu-south-2": "eus2",
    "eu-west-1": "euw1",
    "eu-west-2": "euw2",
    "eu-west-3": "euw3",
    "il-central-1": "ilc1",
    "me-central-1": "mec1",
    "me-south-1": "mes1",
    "mx-central-1": "mxc1",
    "sa-east-1": "sae1",
    "us-east-1": "use1",
    "us-east-2": "use2",
    "us-gov-east-1": "usge1",
    "us-gov-west-1": "usgw1",
    "us-west-1": "usw1",
    "us-west-2": "usw2",
}

# Region → the id of com.amazonaws.<region>.s3, where it is known to us; the same id may name something else elsewhere.
# `aws ec2 describe-managed-prefix-lists --region REGION` prints the others.
S3_PREFIX_LISTS = {
    "ap-northeast-1": "pl-61a54008",
    "ap-northeast-2": "pl-78a54011",
    "ap-southeast-1": "pl-6fa54006",
    "ap-southeast-2": "pl-6ca54005",
    "eu-central-1": "pl-6ea54007",
    "eu-west-1": "pl-6da54004",
    "sa-east-1": "pl-6aa54003",
    "us-east-1": "pl-63a5400a",
    "us-east-2": "pl-7ba54012",
    "us-west-1": "pl-6ba54002",
    "us-west-2": "pl-68a54001",
}

# Region ("" is all) → autonomous system numbers that no customer gateway there may have.
# https://docs.aws.amazon.com/vpn/latest/s2svpn/cgw-options.html
RESERVED_ASNS = {
    "": (7224,),
    "eu-west-1": (9059,),
    "ap-northeast-1": (10124,),
    "ap-southeast-1": (17943,),
}


def partition_of(region: str) -> str:
    """The partition that a region's ARNs name."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")


def region_of_zone(zone_id: str) -> str:
    """The region of a zone id, or "" where no known region has its prefix."""
    prefix = zone_id.partition("-")[0]
    return next((region for region, known in ZONE_PREFIXES.items() if known == prefix), "")
