// Pages of the manual in man(7), which every man(1) reads: from the table of options and the texts
// of --help, and what a page alone has (manual_text.hpp).
#include "main/documentation.hpp"
#include "main/pages/manual_text.hpp"

#include <retry_exec/policy.hpp>
#include <retry_exec/text.hpp>

#include <algorithm>
#include <vector>

namespace retry_exec {

namespace {

constexpr std::size_t width = 72;

// Text without meaning for roff, in ASCII alone.
std::string roff(std::string_view text) {
  std::string safe;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\\') {
      safe += "\\e";
    } else if (byte == '-') {
      safe += "\\-";
    } else if (byte == '\'') {
      safe += "\\(aq";
    } else if (text.substr(i).starts_with("…")) {
      safe += "\\&...";
      i += std::string_view("…").size() - 1;
    } else {
      safe += text[i];
    }
  }
  return safe;
}

// Filled by the reader's width, so only our own lines are short. No line begins with a request.
std::string filled(std::string_view text) {
  std::string all;
  std::string line;
  text::for_each_part(text, ' ', [&](std::string_view word) {
    if (word.empty()) return;
    const std::string safe = roff(word);
    if (!line.empty() && line.size() + 1 + safe.size() > width) {
      all += line + "\n";
      line.clear();
    }
    if (line.empty() && safe.starts_with('.')) line = "\\&";
    line += (line.empty() || line == "\\&" ? "" : " ") + safe;
  });
  return line.empty() ? all : all + line + "\n";
}

std::string tagged(const std::string& tag, std::string_view text) {
  return ".TP\n" + tag + "\n" + filled(text);
}

bool is_row(std::string_view line) {
  return line.starts_with("  ") && line.find("  ", 2) != std::string_view::npos;
}

// "  124     the deadline ended the run"
std::string row(std::string_view line) {
  const std::size_t end = line.find("  ", 2);
  return tagged("\\fB" + roff(line.substr(2, end - 2)) + "\\fR",
                line.substr(line.find_first_not_of(' ', end)));
}

// Paragraphs of a text of --help: rows become tagged paragraphs, what is indented stays as it is.
std::string paragraphs(std::string_view text) {
  std::string page;
  std::string flowing;
  const auto end_paragraph = [&] {
    if (!flowing.empty()) page += ".PP\n" + filled(flowing);
    flowing.clear();
  };
  text::for_each_part(text, '\n', [&](std::string_view line) {
    if (line == "Exit codes:") {
      end_paragraph();
      page += ".SH EXIT STATUS\n";
    } else if (is_row(line)) {
      end_paragraph();
      page += row(line);
    } else if (line.starts_with("  ")) {
      end_paragraph();
      page += ".PP\n.nf\n.RS\n" + roff(line.substr(2)) + "\n.RE\n.fi\n";
    } else if (line.empty()) {
      end_paragraph();
    } else {
      flowing += std::string(line) + " ";
    }
  });
  end_paragraph();
  return page;
}

// The first paragraph of a section needs no mark.
std::string section(const std::string& name, std::string_view text) {
  constexpr std::string_view mark = ".PP\n";
  if (text.starts_with(mark)) text.remove_prefix(mark.size());
  return ".SH " + name + "\n" + std::string(text);
}

std::string title(const CommandLine& line, char section, std::string_view purpose) {
  return ".TH " + roff(text::upper_case(line.program())) + " " + section + " " +
         std::string(manual_date) + " \"retry\\-exec " RETRY_EXEC_VERSION "\"\n.SH NAME\n" +
         roff(line.program()) + " \\-\n" + filled(purpose);
}

// The lines "Usage: retry-exec …", each behind the first with blanks in that word's place; then
// the rest.
std::string synopsis(std::string_view usage) {
  constexpr std::string_view before = "Usage: ";
  std::string page = ".SH SYNOPSIS\n.nf\n";
  while (usage.size() > before.size() && !usage.starts_with('\n')) {
    const std::string_view line = usage.substr(0, usage.find('\n'));
    page +=
        "\\fB" + roff(line.substr(before.size(), line.find(' ', before.size()) - before.size()));
    page += "\\fR" + roff(line.substr(line.find(' ', before.size()))) + "\n";
    usage.remove_prefix(std::min(line.size() + 1, usage.size()));
  }
  page += ".fi\n";
  const std::string rest = paragraphs(usage);
  return rest.empty() ? page : page + section("COMMANDS", rest);
}

std::string option(const OptionText& text) {
  std::string tag = text.letter == '\0' ? "" : std::string("\\fB\\-") + text.letter + "\\fR, ";
  tag += "\\fB\\-\\-" + roff(text.name) + "\\fR";
  if (!text.argument.empty()) tag += " \\fI" + roff(text.argument) + "\\fR";
  return tagged(tag, text.help);
}

}  // namespace

std::string manual_page(const CommandLine& line, const Help& help) {
  std::string page = title(line, '1', help.purpose) + synopsis(help.usage);
  if (!help.about.empty()) page += section("DESCRIPTION", paragraphs(help.about));
  page += ".SH OPTIONS\n";
  for (const OptionText& text : line.options()) page += option(text);
  page += tagged("\\fB\\-\\-man\\fR" + std::string(help.format.empty() ? "" : " \\fI5\\fR"),
                 help.format.empty() ? "print this page"
                                     : "print this page, or the one on the format of files");
  page += tagged("\\fB\\-\\-completions\\fR \\fIbash|zsh|fish\\fR",
                 "print what makes a shell complete the command line");
  return page + paragraphs(help.behind) + std::string(help.more);
}

std::string format_page(const CommandLine& line, const Help& help) {
  std::string text(help.format);
  constexpr std::string_view place = ".\\\" @POLICY_FIELDS@\n";
  if (const std::size_t at = text.find(place); at != std::string::npos) {
    std::string fields;
    for_each_policy_field([&](const auto& field) {
      fields += tagged("\\fB" + roff(field.name) + "\\fR", field.help);
    });
    text.replace(at, place.size(), fields);
  }
  return title(line, '5', help.format_purpose) + text;
}

}  // namespace retry_exec
