// Build-time: writes the schema of rule files, with the fields of a policy where the template has
// "@POLICY_FIELDS@".
//
//   schema TEMPLATE.json.in OUTPUT.json

#include <retry_exec/policy.hpp>
#include <retry_exec/read_file.hpp>

#include <cstdio>

namespace {

// As they stand in "properties", each line after the first behind `indent`.
std::string policy_properties(const std::string& indent) {
  std::string text;
  retry_exec::for_each_policy_field([&](const auto& field) {
    if (!text.empty()) text += ",\n" + indent;
    text += '"' + std::string(field.name) + "\": {\"$ref\": \"#/$defs/" +
            std::string(field.schema) + "\"}";
  });
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view place = "\"@POLICY_FIELDS@\": true";
  if (argc != 3) return 1;
  auto text = retry_exec::read_file(argv[1], 1 << 20);
  if (!text) return std::fprintf(stderr, "%s\n", to_string(text.error()).c_str()), 1;
  for (std::size_t at = 0; (at = text->find(place, at)) != std::string::npos;) {
    const std::size_t line = text->rfind('\n', at) + 1;
    text->replace(at, place.size(), policy_properties(text->substr(line, at - line)));
  }
  std::FILE* file = std::fopen(argv[2], "w");
  if (file != nullptr && std::fputs(text->c_str(), file) >= 0 && std::fclose(file) == 0) return 0;
  return std::perror(argv[2]), 1;
}
