"""How the client of each language is built and run.

Each takes HOST PORT TLS_PORT CA, prints `ok TRANSPORT PROTOCOL plain|tls` or `FAILED ... why` a line,
and ends with another status than 0 when one failed."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
IDL = HERE.parents[1] / "idl/conformance.thrift"
THRIFT_NPM = "thrift@0.23.0"


class Unreachable(Exception):
    """What is needed is not on this machine, and cannot be got."""


@dataclass
class Language:
    """`needs`: what must be there: programs by name, files by path; `fetch`: a command that gets the
    library from where Debian's packages are not."""
    name: str
    needs: list
    generator: str
    commands: list  # that build it, in its own directory
    run: list
    environment: dict = field(default_factory=dict)
    fetch: str = "true"

    def missing(self):
        return [need for need in self.needs
                if not (Path(need).exists() if need.startswith("/") else shutil.which(need))]

    def build(self, directory):
        """In `directory`, of which nothing else is used.  Unreachable: its library cannot be got."""
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(HERE / self.folder, directory)
        for idl in [IDL, *directory.glob("*.thrift")]:
            subprocess.run(["thrift", "--gen", self.generator, "-out", directory, idl], check=True)
        try:
            self._execute(self.fetch, directory)
        except subprocess.CalledProcessError as error:
            raise Unreachable(f"{self.fetch}: {error.stdout[-300:]}") from error
        for command in self.commands:
            self._execute(command, directory)

    def _execute(self, command, directory):
        subprocess.run(command, cwd=directory, shell=True, check=True, env=self._environ(directory),
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def start(self, directory, arguments):
        return subprocess.Popen([*self.run, *arguments], cwd=directory, env=self._environ(directory),
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def _environ(self, directory):
        return {**os.environ, **{key: value.format(here=directory)
                                 for key, value in self.environment.items()}}

    @property
    def folder(self):
        return {"C": "c_glib", "C++": "cpp", "Node.js": "node"}.get(self.name, self.name.lower())


LANGUAGES = [
    Language("C", ["cc", "/usr/include/thrift/c_glib/thrift.h"], "c_glib",
             ["cc -w -O1 -o client *.c $(pkg-config --cflags --libs thrift_c_glib gobject-2.0) -lm"], ["./client"]),
    Language("C++", ["c++", "/usr/include/thrift/Thrift.h", "/usr/include/boost"], "cpp:no_skeleton",
             ["c++ -O0 -o client *.cpp -I. -lthrift -lthriftz"], ["./client"]),
    Language("Python", ["/usr/bin/python3"], "py", [], ["/usr/bin/python3", "client.py"]),
    Language("Go", ["go", "/usr/share/gocode/src/github.com/apache/thrift/lib/go/thrift"], "go",
             ["mkdir -p src && mv conformance src/ && rm -rf src/conformance/*-remote",
              "go build -o client client.go"], ["./client"],
             {"GO111MODULE": "off", "GOPATH": "{here}:/usr/share/gocode", "GOCACHE": "{here}/cache",
              "GOFLAGS": ""}),
    Language("Java", ["javac", "/usr/share/java/thrift.jar"], "java",
             ["javac -nowarn -cp '/usr/share/java/*' Client.java conformance/*.java"],
             ["java", "-cp", ".:/usr/share/java/*", "Client"]),
    Language("Node.js", ["node", "npm"], "js:node,es6",
             [], ["node", "client.js"],
             fetch=f"npm install --no-audit --no-fund --no-save {THRIFT_NPM}"),
    Language("PHP", ["php", "/usr/lib/php/Transport/TSocket.php"], "php", [], ["php", "client.php"],
             {"GENERATED": "{here}"}),
    Language("Perl", ["perl", "/usr/share/perl5/Thrift.pm", "/usr/share/perl5/Class/Accessor.pm",
                      "/usr/share/perl5/LWP.pm", "/usr/share/perl5/LWP/Protocol/https.pm"], "perl", [], ["perl", "-I.", "client.pl"]),
    Language("Ruby", ["ruby"], "rb", [], ["ruby", "-I.", "client.rb"]),
]
