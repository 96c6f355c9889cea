"""What single settings are: their types, with the bounds and patterns that AWS holds them to.

A rule that a pattern would not say well is in `rules/`, which names the setting and what to do.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta

__all__ = [
    "AccountId",
    "BucketName",
    "DatabaseName",
    "Days",
    "Email",
    "Environment",
    "ExportName",
    "Expression",
    "Folder",
    "Key",
    "KmsKeyArn",
    "LayerArn",
    "LayerName",
    "OrganizationId",
    "Pattern",
    "PolicyArn",
    "Region",
    "RetentionDays",
    "RoleArn",
    "RouteTableId",
    "SecurityGroupId",
    "Service",
    "SubnetId",
    "TargetArn",
    "Text",
    "TopicArn",
    "Url",
    "VpcId",
]


def _text(pattern: str, description: str, max_length: int | None = None) -> Meta:
    """Describe a text that matches the whole pattern; people are told the description."""
    return Meta(pattern=rf"^({pattern})(?![\s\S])", description=description, max_length=max_length)


# Without * ? and $, which mean something in a policy, and without empty, . and .. parts.
_PART: Final = r"(?!\.\.?(?:/|(?![\s\S])))[A-Za-z0-9!_.()=-]+"
_PARTITION: Final = r"arn:aws[a-z-]*"
_REGIONAL: Final = r"[a-z0-9-]+:[0-9]{12}"

# Joined and with what is put behind them they must fit into 64 characters.
Service = Annotated[str, _text(r"[a-z][a-z0-9-]{0,31}", "a lower-case name, 32 characters at most")]
Environment = Annotated[
    str, _text(r"[a-z][a-z0-9-]{0,19}", "a lower-case name, 20 characters at most")
]
Text = Annotated[str, Meta(min_length=1, max_length=100)]
Region = Annotated[str, _text(r"[a-z]{2}(-[a-z]+)+-[0-9]", "a region such as us-east-1")]
AccountId = Annotated[str, _text(r"[0-9]{12}", "an account's twelve digits, in quotation marks")]
OrganizationId = Annotated[
    str, _text(r"o-[a-z0-9]{10,32}", "an organization's id, such as o-a1b2c3d4e5")
]
BucketName = Annotated[
    str, _text(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket's name, 3 to 63 characters")
]
# With what is put behind them, keys stay below S3's 1,024 bytes.
Folder = Annotated[
    str, _text(rf"({_PART}/)*", "a folder such as prod/, with its slash, or empty", 512)
]
Key = Annotated[
    str, _text(rf"({_PART}/)*{_PART}\.parquet", "a key such as checkpoints/events.parquet", 512)
]
KmsKeyArn = Annotated[
    str,
    _text(rf"{_PARTITION}:kms:{_REGIONAL}:key/[A-Za-z0-9-]+", "a KMS key's ARN, not an alias"),
]
LayerArn = Annotated[
    str,
    _text(
        rf"{_PARTITION}:lambda:{_REGIONAL}:layer:[A-Za-z0-9_-]+:[0-9]+",
        "a layer's ARN with its version",
    ),
]
LayerName = Annotated[str, _text(r"[A-Za-z0-9_-]{1,140}", "a layer's name")]
TopicArn = Annotated[
    str, _text(rf"{_PARTITION}:sns:{_REGIONAL}:[A-Za-z0-9_-]{{1,256}}", "a topic's ARN")
]
TargetArn = Annotated[
    str,
    _text(
        # Others need a role of their own, and FIFO queues a group.
        rf"{_PARTITION}:(sns|sqs|lambda|logs):{_REGIONAL}:[!-~]+(?<!\.fifo)",
        "the ARN of a topic, queue, function or log group, which is not FIFO",
    ),
]
RoleArn = Annotated[
    str, _text(rf"{_PARTITION}:iam::[0-9]{{12}}:role/[!-~]{{1,576}}", "a role's ARN")
]
PolicyArn = Annotated[
    str,
    _text(rf"{_PARTITION}:iam::([0-9]{{12}}|aws):policy/[!-~]{{1,576}}", "a managed policy's ARN"),
]
VpcId = Annotated[str, _text(r"vpc-[0-9a-f]{8,17}", "a VPC's id")]
SubnetId = Annotated[str, _text(r"subnet-[0-9a-f]{8,17}", "a subnet's id")]
SecurityGroupId = Annotated[str, _text(r"sg-[0-9a-f]{8,17}", "a security group's id")]
RouteTableId = Annotated[str, _text(r"rtb-[0-9a-f]{8,17}", "a route table's id")]
Email = Annotated[str, _text(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")]
Url = Annotated[str, _text(r"https://[!-~]{1,500}", "an address that begins with https://")]
Pattern = Annotated[str, _text(r"[^\s,]+", "a pattern without spaces and commas")]
Expression = Annotated[
    str, _text(r"(cron|rate)\([^()]+\)", "cron(...) or rate(...), as the scheduler has them")
]
DatabaseName = Annotated[str, _text(r"[a-z][a-z0-9_]{0,254}", "a lower-case name without hyphens")]
ExportName = Annotated[
    str,
    _text(
        r"[a-z0-9][a-z0-9-]{0,62}",
        "small letters, digits and hyphens, 63 at most, and begin with no hyphen",
    ),
]
Days = Annotated[int, Meta(ge=1, le=36_500)]
_Weeks = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180]
_Years = Literal[365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3653]
RetentionDays = Literal[_Weeks, _Years]
