"""What a build is for: a runtime and an architecture of Lambda, and which wheels run there."""

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.tags import Tag, compatible_tags, cpython_tags

__all__ = ["ARCHITECTURES", "RUNTIMES", "Target"]

# The newest glibc's minor version whose wheels run there: Amazon Linux 2 has 2.26, Amazon Linux
# 2023 has 2.34, and uv knows 2.28 below that.
RUNTIMES = {"3.11": 26, "3.12": 28, "3.13": 28}
# As Lambda names them, and as wheels and `uname -m` do.
ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
_ELF_MACHINES = {"aarch64": 183, "x86_64": 62}


@dataclass(frozen=True, kw_only=True)
class Target:
    """A runtime such as 3.12 on an architecture."""

    runtime: str
    architecture: str

    @property
    def machine(self) -> str:
        """The architecture as `uname -m` names it."""
        return ARCHITECTURES[self.architecture]

    @property
    def elf_machine(self) -> int:
        """The architecture's number in the head of a shared library."""
        return _ELF_MACHINES[self.machine]

    @property
    def uv_platform(self) -> str:
        """The platform as uv names it; what uv takes is checked against `tags`."""
        return f"{self.machine}-manylinux_2_28"

    @property
    def tags(self) -> frozenset[Tag]:
        """The tags of the wheels that run there."""
        version = [int(part) for part in self.runtime.split(".")]
        platforms = list(self._platforms())
        interpreter = f"cp{version[0]}{version[1]}"
        return frozenset(
            [
                *cpython_tags(version, [interpreter], platforms),
                *compatible_tags(version, interpreter, platforms),
            ]
        )

    @property
    def marker_environment(self) -> dict[str, str]:
        """The values of the markers in requirements there."""
        return {
            "extra": "",
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.runtime}.0",
            "python_version": self.runtime,
            "sys_platform": "linux",
        }

    def _platforms(self) -> Iterator[str]:
        for minor in range(RUNTIMES[self.runtime], 16, -1):
            yield f"manylinux_2_{minor}_{self.machine}"
        yield f"manylinux2014_{self.machine}"
