#include "answers.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace flaky {

namespace {

namespace http = boost::beast::http;
namespace json = boost::json;

Response with_body(unsigned status, std::string_view type, std::string text) {
  Response response;
  response.result(status);
  response.set("Docker-Distribution-Api-Version", "registry/2.0");
  response.set(http::field::content_type, std::string(type));
  response.body() = std::move(text);
  return response;
}

Response oci_error(unsigned status, const std::string& code, const std::string& message,
                   json::value detail) {
  json::object error = {{"code", code}, {"message", message}};
  if (!detail.is_null()) error["detail"] = std::move(detail);
  return with_body(status, "application/json; charset=utf-8",
                   json::serialize(json::object{{"errors", json::array{std::move(error)}}}) + '\n');
}

Response html_page(unsigned status) {
  const std::string title = std::to_string(status) + ' ' +
                            std::string(http::obsolete_reason(static_cast<http::status>(status)));
  return with_body(status, "text/html; charset=utf-8",
                   "<!DOCTYPE html>\n<html><head><title>" + title + "</title></head>\n<body><h1>" +
                       title + "</h1><p>This page is taking too long to load.</p></body></html>\n");
}

Response not_visible(const Subject& subject) {
  if (subject.kind == Kind::blob) {
    return oci_error(404, "BLOB_UNKNOWN", "blob unknown to registry", json::string(subject.digest));
  }
  return oci_error(404, "MANIFEST_UNKNOWN", "manifest unknown",
                   json::object{{subject.tag.empty() ? "Revision" : "Tag", subject.reference()}});
}

Response parent_refused(const std::string& child) {
  return oci_error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", json::string(child));
}

// ECR's words, as oras shows them.
Response immutable_tag(const Subject& subject) {
  return oci_error(400, "TAG_INVALID",
                   "The image tag '" + subject.tag + "' already exists in the '" +
                       subject.repository +
                       "' repository and cannot be overwritten because the tag is immutable.",
                   nullptr);
}

json::value detail_of(const Answer& answer, std::string_view body) {
  if (answer.detail) return json::string(*answer.detail);
  if (answer.code != "MANIFEST_BLOB_UNKNOWN") return nullptr;
  const auto digests = digests_in(body);
  return digests.empty() ? json::value(nullptr) : json::value(json::string(digests.front()));
}

Response planned(const Answer& answer, std::string_view body) {
  Response response;
  switch (answer.body) {
    case Answer::Body::json:
      response = oci_error(answer.status, answer.code, answer.message, detail_of(answer, body));
      break;
    case Answer::Body::html:
      response = html_page(answer.status);
      break;
    case Answer::Body::empty:
      response.result(answer.status);
      break;
  }
  for (const auto& [name, value] : answer.headers) response.set(name, value);
  return response;
}

}  // namespace

std::optional<Response> answer_to(const Action& action, const Subject& subject,
                                  std::string_view body) {
  if (std::holds_alternative<NotVisible>(action)) return not_visible(subject);
  if (std::holds_alternative<ImmutableTags>(action)) return immutable_tag(subject);
  if (const auto* refused = std::get_if<ParentRefused>(&action)) {
    return parent_refused(refused->digest);
  }
  if (const auto* answer = std::get_if<Answer>(&action)) return planned(*answer, body);
  if (const auto* redirected = std::get_if<Redirected>(&action);
      redirected != nullptr && redirected->digest.empty()) {
    return not_visible(subject);
  }
  return std::nullopt;
}

Response plain_text(unsigned status, std::string text) {
  return with_body(status, "text/plain; charset=utf-8", std::move(text));
}

}  // namespace flaky
