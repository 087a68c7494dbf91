#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace asap::text {

/// How text is split into words.
struct WordRules {
  bool lowercase = true;
  bool punctuation = true;
};

/// Calls `take` with each word of valid UTF-8 text, in order; the view is valid during the call. A
/// word is a run of letters, digits and underscores with the marks that combine with them, and with
/// single apostrophes between them ("don't"). The text is composed first, so that accents give the
/// same words in either form; variation selectors, soft hyphens and other format characters but the
/// zero width space are left out, and so are combining marks without a word before them. Every
/// other character, except white space and control characters, is a word of its own, or is dropped
/// without punctuation. Categories and lower case are those of utf8proc's Unicode version.
void for_each_word(std::string_view text, const WordRules& rules,
                   const std::function<void(std::string_view)>& take);

/// Valid UTF-8 in Unicode normal form C: accents and letters become one character where there is
/// one.
std::string composed(std::string_view text);

}  // namespace asap::text
