// Secrets by where they stand: in the environment and on the command line.
#include "catch_shim.hpp"
#include "secret_forms.hpp"
#include "source_paths.hpp"

#include <retry_exec/redact.hpp>

#include <array>
#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

using retry_exec::Redactor;
using Argv = std::vector<std::string>;

TEST_CASE("the values of variables that are named like secrets are redacted", "[report]") {
  const std::array names = {"GITHUB_TOKEN",
                            "AWS_SECRET_ACCESS_KEY",
                            "DOCKER_PASSWORD",
                            "MYSQL_PASSWD",
                            "OPENAI_API_KEY",
                            "MY_ACCESS_KEY",
                            "MY_CREDENTIALS",
                            "REGISTRY_AUTH",
                            "DOCKER_AUTH_CONFIG",
                            "gpg_passphrase",
                            "NPM_PAT",
                            "DB_PASS",
                            "SIGNING_KEY",
                            "SSH_KEY",
                            "STRIPE_KEY",
                            "CI_JWT",
                            "BEARER",
                            "MY_BEARER_1"};
  for (const char* name : names) {
    const std::string entry = std::string(name) + "=correct-horse";
    const std::array<const char*, 3> environment = {"HOME=/root", entry.c_str(), nullptr};
    CHECK(Redactor({}, environment.data())("the correct-horse is wrong") ==
          "the [redacted] is wrong");
  }
}

TEST_CASE("other variables stay readable", "[report]") {
  const std::array<const char*, 18> environment = {
      "GIT_AUTHOR_NAME=Jane Roe",
      "SSH_AUTH_SOCK=/tmp/agent",
      "REGISTRY_AUTH_FILE=/run/auth",
      "GOOGLE_APPLICATION_CREDENTIALS=/etc/key.json",
      "PATH=/usr/bin:/bin",
      "PWD=/work/place",
      "OLDPWD=/work/other",
      "MY_TOKEN=short",
      "TOKEN_EMPTY=",
      "ACTIONS_ID_TOKEN_REQUEST_URL=https://token.example",
      "NO_EQUALS_SIGN_TOKEN",
      "SIGNING_PUBLIC_KEY=publickey",
      "CACHE_KEY=linux-x64",
      "SSH_KEY_FILE=ssh-key-file",
      "SSH_KEY=/root/keys/id_rsa",
      "API_KEY=~/keys/api.txt",
      "GPG_KEY_ID=0123456789",
      nullptr};
  const std::string text =
      "Jane Roe /tmp/agent /run/auth /etc/key.json /usr/bin:/bin /work/place /work/other short "
      "https://token.example publickey linux-x64 ssh-key-file /root/keys/id_rsa ~/keys/api.txt "
      "0123456789";
  CHECK(Redactor({}, environment.data())(text) == text);
}

TEST_CASE("a secret of the command line is redacted wherever its output repeats it", "[report]") {
  const Argv argv = {"oras", "login", "-u", "joe", "-p", "correct-horse", "ghcr.io"};
  CHECK(Redactor(argv)("cannot use correct-horse for joe") == "cannot use [redacted] for joe");
  const Argv attached = {"curl", "--user=joe:correct-horse"};
  CHECK(Redactor(attached)("cannot use correct-horse for joe") == "cannot use [redacted] for joe");
}

TEST_CASE("what is hidden inside an argument is hidden wherever the output repeats it",
          "[report]") {
  const std::string corpus = std::string(UNIT_TEST_FOLDER) + "/corpus";
  for (const test::SecretForm& form : test::secret_forms(corpus, "Zx9-kQ7.mN2_vB4")) {
    const Argv argv = {"tool", "-d", form.text};
    const Redactor redact(argv);
    for (const std::string& secret : form.secrets) {
      if (secret.size() < 12) continue;  // the last line of a key
      INFO(form.text);
      CHECK(test::leaked(redact("is " + secret + " right?"), {secret}) == "");
    }
  }
  for (const char* argument :
       {R"({"password":"correct-horse"})", "host=h password=correct-horse", "token: correct-horse",
        "https://me:correct%2Dhorse@h/", "https://h/x?correct-horse",
        "Authorization: correct-horse", "https://h/x?a=b&sig=correct-horse",
        R"(["docker","login","-p","correct-horse"])", "<password>correct-horse</password>",
        "set -e\nexport API_TOKEN='correct-horse'\n"}) {
    const Argv argv = {"tool", argument};
    INFO(argument);
    CHECK(Redactor(argv)("the correct-horse is wrong") == "the [redacted] is wrong");
  }
}

TEST_CASE("a secret without a digit is known by its place", "[report]") {
  const std::string corpus = std::string(UNIT_TEST_FOLDER) + "/corpus";
  for (const test::SecretForm& form : test::secret_forms(corpus, "correct-horse")) {
    // Without a digit, these may be names.
    const bool name = form.text.find("--key ") != std::string::npos ||
                      form.text.find("config http-basic.") != std::string::npos;
    if (form.argv.empty() || name) continue;
    INFO(form.text);
    CHECK(Redactor(form.argv)("the correct-horse is wrong") == "the [redacted] is wrong");
  }
}

TEST_CASE("a value that ordinary text is full of is not hidden there", "[report]") {
  const std::string text =
      "true admin 1 password secret default postgres 2026-11-28 1.2.3.4 ****** localhost $PASSWORD "
      "main sha256:9a5a07a1e1c9e2e2 required hunter /home/runner application/json";
  for (const Argv& argv :
       {Argv{"tool", "--password", "true", "--token=admin", "-d", R"({"token":"1"})"},
        Argv{"mysql", "--password=password", "-e", "SET PASSWORD = 'secret'"},
        Argv{"curl", "-u", "postgres:postgres", "-d", "token=default"},
        Argv{"curl", "-b", "day=2026-11-28; version=1.2.3.4", "https://h/?ref=main"},
        Argv{"curl", "https://h/?digest=sha256:9a5a07a1e1c9e2e2", "-d", "password: hunter, a"},
        Argv{"sh", "-c", "docker login -p $PASSWORD localhost"},
        Argv{"docker", "run", "-u", "runner:runner", "x", "curl", "-H", "Accept: application/json"},
        Argv{"tool", "--password", "******", "-H", "Authorization: required"}}) {
    CHECK(Redactor(argv)(text) == text);
  }
}

TEST_CASE("a long argument is searched for secrets in time", "[report]") {
  for (const std::string unit :
       {"password=a1,", "{\"token\":\"hunter22\"},", "send -a ", "net user a1 ", "login -p x '\n",
        "-----BEGIN PRIVATE KEY-----\n", "https://a:b@c/?d=e ", "\\"}) {
    std::string argument;
    while (argument.size() < (std::size_t{1} << 20)) argument += unit;
    const Argv argv = {"sh", "-c", argument};
    const std::clock_t start = std::clock();
    CHECK(Redactor(argv)("a word") == "a word");
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    INFO(unit << ": " << seconds << " s");
    if (std::getenv("TEST_INSTRUMENTED") == nullptr) CHECK(seconds < 2);
  }
}

TEST_CASE("every option that takes a secret is known on the command line", "[report]") {
  const std::array<Argv, 19> commands = {
      Argv{"curl", "--oauth2-bearer", "correct-horse"},
      Argv{"curl", "-H", "Authorization: Bearer correct-horse"},
      Argv{"tool", "--bearer=correct-horse"},
      Argv{"tool", "--auth", "correct-horse"},
      Argv{"curl", "--cookie", "correct-horse"},
      Argv{"/usr/bin/curl", "-b", "correct-horse"},
      Argv{"tool", "--pwd", "correct-horse"},
      Argv{"tool", "--pw=correct-horse"},
      Argv{"tool", "--PASSWORD", "correct-horse"},
      Argv{"tool", "--Api-Key=correct-horse"},
      Argv{"docker", "exec", "db", "mysql", "-pcorrect-horse"},
      Argv{"mariadb", "-pcorrect-horse"},
      Argv{"mysqldump", "-pcorrect-horse"},
      Argv{"mysqladmin", "-pcorrect-horse", "ping"},
      Argv{"env", "SIGNING_KEY=correct-horse", "tool"},
      Argv{"sh", "-c", "oras login --password 'correct-horse' h"},
      Argv{"sh", "-c", "curl -u joe:correct-horse h"},
      Argv{"sh", "-c", "mysql -pcorrect-horse"},
      Argv{"sh", "-c", "echo correct-horse | docker login --password-stdin"},
  };
  for (const Argv& argv : commands) {
    const Redactor redact(argv);
    CHECK_THAT(redact.command(argv), !test::ContainsSubstring("correct-horse"));
    CHECK_THAT(Redactor().command(argv), !test::ContainsSubstring("correct-horse"));
    CHECK(redact("the correct-horse is wrong") == "the [redacted] is wrong");
  }
}

TEST_CASE("arguments that are no secrets stay readable", "[report]") {
  const std::array<Argv, 13> commands = {
      Argv{"cargo", "login"},
      Argv{"vault", "login"},
      Argv{"poetry", "config", "virtualenvs.create", "false"},
      Argv{"git", "config", "user.name", "joe"},
      Argv{"docker", "run", "--name", "mysql", "-p3306:3306", "mysql:8"},
      Argv{"mysql", "-p", "database"},
      Argv{"curl", "-b", "cookies.txt", "-c", "cookies.txt", "h"},
      Argv{"tool", "--private-key", "/etc/key.pem", "--credentials=./key.json"},
      Argv{"tool", "--password-file", "passwords"},
      Argv{"tool", "--no-auth", "image"},
      Argv{"docker", "build", "--secret", "id=npmrc", "--secret=id=other"},
      Argv{"env", "PUBLIC_KEY=abcdef", "TOKEN_FILE=abcdef", "tool"},
      Argv{"ssh", "-p", "2222", "-b", "10.0.0.1", "h"},
  };
  for (const Argv& argv : commands) {
    CHECK_THAT(Redactor(argv).command(argv), !test::ContainsSubstring("redacted"));
  }
}

TEST_CASE("a program's name with blanks around it is not one, and is shown", "[report]") {
  // Trailing blanks are not printable.
  const std::array<std::pair<const char*, const char*>, 5> words = {
      {{" login", "' login'"},
       {"login ", "login"},
       {" login ", "' login'"},
       {"twine mongo", "'twine mongo'"},
       {" ", "''"}}};
  for (const auto& [word, shown] : words) {
    const Argv argv = {"x", word, "y"};
    CHECK(Redactor(argv, nullptr).command(argv) == "x " + std::string(shown) + " y");
  }
}

TEST_CASE("a command is shown quoted as a shell would need it, without its secrets", "[report]") {
  const Redactor redact;
  const auto command = [&](const Argv& argv) { return redact.command(argv); };
  CHECK(command({"oras", "cp", "a b", "", "it's"}) == "oras cp 'a b' '' 'it'\\''s'");
  CHECK(command({"oras", "login", "--password", "-x y", "h"}) ==
        "oras login --password [redacted] h");
  CHECK(command({"docker", "login", "-px", "h"}) == "docker login -p[redacted] h");
  CHECK(command({"curl", "-H", "X-Key: a b", "h"}) == "curl -H 'X-Key: [redacted]' h");
  CHECK(command({"curl", "-u", "joe:a b", "h"}) == "curl -u joe:[redacted] h");
  CHECK(command({"docker", "run", "-p", "8080:80", "-u", "1:1", "x"}) ==
        "docker run -p 8080:80 -u 1:1 x");
  CHECK(command({"oras", "cp", "https://a:b@h/x?y=z"}) ==
        "oras cp 'https://[redacted]@h/x?[redacted]'");
  CHECK(command({"x", "a\nb"}) == "x 'a b'");
}
