"Builds the package from settings.ini, the single source of its name, version and requirements."

from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
config = ConfigParser(delimiters=["="], interpolation=None)
config.read(here / "settings.ini", encoding="utf-8")
settings = config["DEFAULT"]

STATUS = {"1": "1 - Planning", "2": "2 - Pre-Alpha", "3": "3 - Alpha", "4": "4 - Beta",
          "5": "5 - Production/Stable"}  # fmt: skip
LICENCES = {"apache2": "Apache-2.0"}


def lines(name: str) -> list[str]:
    "The non-empty lines of a setting, in order."
    return [line.strip() for line in settings[name].splitlines() if line.strip()]


setup(
    name=settings["lib_name"],
    version=settings["version"],
    description=settings["description"],
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=settings["author"],
    author_email=settings["author_email"],
    url=settings["git_url"],
    keywords=settings["keywords"],
    license=LICENCES[settings["license"]],
    python_requires=f">={settings['min_python']}",
    packages=find_packages(include=[settings["lib_name"]]),
    install_requires=lines("requirements"),
    extras_require={
        "dev": lines("dev_requirements") + lines("export_requirements") + lines("lora_requirements"),
        "export": lines("export_requirements"),
        "lora": lines("lora_requirements"),
        "rouge": lines("rouge_requirements"),
        "tracking": lines("tracking_requirements"),
    },
    entry_points={
        "console_scripts": lines("console_scripts"),
        "nbdev": [f"{settings['lib_name']}={settings['lib_name']}._modidx:d"],
    },
    classifiers=[
        f"Development Status :: {STATUS[settings['status']]}",
        f"Intended Audience :: {settings['audience']}",
        f"Natural Language :: {settings['language']}",
        "Programming Language :: Python :: 3",
    ],
    zip_safe=False,
)
