#include "catch_shim.hpp"

#include <retry_exec/rules.hpp>

#include <string>
#include <vector>

using namespace retry_exec;

namespace {

using Names = std::vector<std::string>;

Names names_in(const std::string& script) {
  return command_names(Names{"/bin/bash", "-eo", "pipefail", "-c", script, "name", "argument"});
}

}  // namespace

TEST_CASE("the commands of a script are known by their names", "[rules]") {
  CHECK(names_in("oras cp a b") == Names{"oras"});
  CHECK(names_in("cd x && FOO=1 sudo -u me /usr/bin/docker push y; oras tag z\noras x") ==
        Names{"cd", "docker", "oras"});
  CHECK(names_in("oras discover a | jq . >/dev/null 2>&1 & wait") == Names{"oras", "jq", "wait"});
  CHECK(names_in("if ! git fetch; then for i in a b; do npm ci; done; fi") == Names{"git", "npm"});
  CHECK(names_in("(timeout 5 curl x || { wget y; })") == Names{"curl", "wget"});
}

TEST_CASE("commands whose output a script takes are among its commands", "[rules]") {
  CHECK(names_in("d=$(oras resolve \"$(cat f)\")") == Names{"cat", "oras"});
  CHECK(names_in("echo \"a $(crane digest 'x)') b\" c; skopeo copy") ==
        Names{"crane", "echo", "skopeo"});
  CHECK(names_in("x=`git rev-parse HEAD`") == Names{"git"});
}

TEST_CASE("what a script only speaks of is not a command", "[rules]") {
  CHECK(names_in("# docker push\necho 'docker; git' \"| oras\" \\; npm") == Names{"echo"});
  CHECK(names_in("cat > f <<'END'\ndocker push\nEND\ngit push") == Names{"cat", "git"});
  CHECK(names_in("cat <<-A <<B\n\tdocker\n\tA\ngit\nB\nhelm x") == Names{"cat", "helm"});
  CHECK(names_in("cat <<< 'git' && helm x") == Names{"cat", "helm"});
}

TEST_CASE("a script without commands, and a shell that runs a file, are the shell", "[rules]") {
  CHECK(names_in("A=1") == Names{"bash"});
  CHECK(names_in("") == Names{"bash"});
  CHECK(command_names(Names{"bash", "-e", "build.sh", "-c", "git"}) == Names{"bash"});
  CHECK(command_names(Names{"oras", "-c", "git"}) == Names{"oras"});
  CHECK(command_names(Names{}) == Names{""});
}

TEST_CASE("a script that is no script at all is read to its end", "[rules]") {
  for (const char* wrong : {"'", "\"$(", "$(((", "<<", "\\", "a <<E", "))) & ;; |", "\"`'$("}) {
    CHECK_FALSE(names_in(wrong).empty());
  }
  CHECK(names_in(std::string(1 << 20, '(')) == Names{"bash"});
}
