// The answers that the proxy gives by itself.
#pragma once

#include "chaos.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <optional>

namespace flaky {

using Response = boost::beast::http::response<boost::beast::http::string_body>;

// nullopt where the action is not an answer of ours. `body` is the manifest that was pushed, if one
// was.
std::optional<Response> answer_to(const Action& action, const Subject& subject,
                                  std::string_view body);

Response plain_text(unsigned status, std::string text);

}  // namespace flaky
