// What only pages of the manual say, in man(7): written in *.1 beside this file, and in *.5 beside
// the formats that they describe.
#pragma once

#include <string_view>

namespace retry_exec {

extern const std::string_view manual_date;        // of the release
extern const std::string_view retry_exec_manual;  // behind what follows from the options
extern const std::string_view retry_publish_manual;
extern const std::string_view retry_rules_manual;
extern const std::string_view rule_file_format;
extern const std::string_view plan_format;

}  // namespace retry_exec
