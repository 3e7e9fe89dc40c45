// Secrets of which a line's end or a cut has made two.
#include "catch_shim.hpp"

#include <retry_exec/redact.hpp>

#include <array>
#include <string>
#include <vector>

using namespace retry_exec;

TEST_CASE("a secret that a tool wrapped at the end of a line is found", "[report][secrets]") {
  const std::string secret = "Zq7xKp9LmW3vTnB5sYd2";
  const std::array<const char*, 2> environment = {"A_TOKEN=Zq7xKp9LmW3vTnB5sYd2", nullptr};
  const Redactor redact({}, environment.data());
  for (std::size_t at = 1; at < secret.size(); ++at) {
    for (const std::string gap : {" ", "\n", "\n    ", " \n", "\\n"}) {
      if (gap == "\\n" && secret[at] == 'n') continue;  // may be an escaped n
      const std::string wrapped = secret.substr(0, at) + gap + secret.substr(at);
      CAPTURE(wrapped);
      CHECK(redact("with " + wrapped + " in it") == "with [redacted] in it");
      CHECK(redact.lines("with " + wrapped + " in it\n") == "with [redacted] in it\n");
    }
    // Of either line alone a part of it that tells is hidden, too.
    if (at >= 8) CHECK(redact("log in with " + secret.substr(0, at)) == "log in with [redacted]");
    if (at >= 8) CHECK(redact("with " + secret.substr(0, at) + " …") == "with [redacted] …");
    if (secret.size() - at < 8) continue;
    CHECK(redact(secret.substr(at) + " is wrong") == "[redacted] is wrong");
    CHECK(redact("… " + secret.substr(at) + " is wrong") == "… [redacted] is wrong");
    CHECK(redact("mask\n" + secret.substr(at) + ": no") == "mask [redacted]: no");
  }
}

TEST_CASE("a long secret is found where it was wrapped many times", "[report][secrets]") {
  std::string entry = "A_TOKEN=";
  for (int i = 0; i < 40; ++i) entry += "aB3" + std::to_string(i * 7919);
  const std::array<const char*, 2> environment = {entry.c_str(), nullptr};
  std::string wrapped;
  for (std::size_t at = 8; at < entry.size(); at += 60) wrapped += entry.substr(at, 60) + "\n";
  const std::string shown = Redactor({}, environment.data()).lines("is\n" + wrapped + "it\n");
  CHECK(shown == "is\n[redacted]\nit\n");
}

TEST_CASE("words of a secret that stand in an innocent text stay", "[report][secrets]") {
  const std::array<const char*, 5> environment = {
      "A_TOKEN=notfound", "B_SECRET=20261130",
      "C_AUTH=https://me:hunter22@registry.example.com/acme/app2",
      "D_PASSWORD=prod-database-password", nullptr};
  const Redactor redact({}, environment.data());
  for (const std::string text :
       {"manifest not found", "2026 1130 bytes", "registry.example.com/acme/app2: denied",
        "database-password is expired", "https://registry.example.com/acme/app2 is at prod",
        "cannot reach https://me"}) {
    CHECK(redact(text) == text);
  }
}

TEST_CASE("a word or a number that a secret begins or ends with stays", "[report][secrets]") {
  const std::array<const char*, 7> environment = {"A_PASSWORD=postgres123",
                                                  "B_PASSWORD=mydatabase",
                                                  "C_TOKEN=production2024xyz",
                                                  "D_PASSWORD=xretry-exec",
                                                  "E_PASSWORD=password123",
                                                  "F_KEY=20261130123",
                                                  nullptr};
  const Redactor redact({}, environment.data());
  for (const std::string text :
       {"no role postgres", "database.yaml", "database is locked", "wrong password",
        "production is down", "deploy to production", "retry-exec 0.1.0", "20261130 is past"}) {
    CHECK(redact(text) == text);
    CHECK(redact.lines(text + "\n") == text + "\n");
    CHECK(redact("… " + text + " …") == "… " + text + " …");
  }
}

TEST_CASE("half a secret of letters that were drawn at random is hidden", "[report][secrets]") {
  const std::array<const char*, 2> environment = {"A_TOKEN=qZwXbTkpLmNrVc", nullptr};
  CHECK(Redactor({}, environment.data())("log in with qZwXbTkp") == "log in with [redacted]");
}

TEST_CASE("no half of a secret is looked for in what nobody cut", "[report][secrets]") {
  const std::vector<std::string> argv = {"deploy", "--to", "postgres16", "tool v20.10.3b2"};
  const std::array<const char*, 3> environment = {"A_PASSWORD=postgres16alpine",
                                                  "B_TOKEN=xv20.10.3b2", nullptr};
  const Redactor redact(argv, environment.data());
  CHECK(redact.arguments(argv) == argv);
  CHECK(redact.known("with postgres16") == "with postgres16");
}
