#include "text/wordpiece_tokenizer.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/error.h"
#include "io/utf8.h"
#include "text/wordpiece_words.h"

namespace asap::text {
namespace {

constexpr const char* kDamaged = "the file is damaged; fetch the model again, or restore it";
constexpr std::string_view kContinues = "##";
constexpr std::array<std::string_view, 5> kSpecial = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

/// Lets maps of strings be searched with views.
struct PieceHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
using PieceIds = std::unordered_map<std::string, std::int32_t, PieceHash, std::equal_to<>>;

std::int64_t count_characters(std::string_view text) {
  return std::ranges::count_if(text, [](char byte) { return (byte & 0xc0) != 0x80; });
}

class WordPieceTokenizer final : public Tokenizer {
 public:
  /// Different pieces, [UNK], [CLS] and [SEP] among them.
  WordPieceTokenizer(const WordPieceRules& rules, std::vector<std::string> pieces)
      : rules_(rules), pieces_(std::move(pieces)) {
    for (const std::string& piece : pieces_) {
      const auto id = static_cast<std::int32_t>(first_.size() + next_.size());
      const bool continues = piece.starts_with(kContinues) && piece.size() > kContinues.size();
      const std::string_view text =
          continues ? std::string_view(piece).substr(kContinues.size()) : piece;
      (continues ? next_ : first_).emplace(text, id);
      longest_ = std::max(longest_, text.size());
    }
    unknown_ = first_.at("[UNK]");
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    while (true) {
      const auto [at, special] = find_special(text);
      for_each_wordpiece_word(text.substr(0, at), rules_,
                              [&](std::string_view word) { append_pieces(word, ids); });
      if (at == std::string_view::npos) return ids;
      ids.push_back(first_.find(special)->second);
      text.remove_prefix(at + special.size());
    }
  }

  TokenFrame frame() const override { return {{first_.at("[CLS]")}, {first_.at("[SEP]")}}; }
  std::optional<std::int32_t> separator() const override { return first_.at("[SEP]"); }
  std::int32_t unknown() const override { return unknown_; }
  int vocabulary() const override { return static_cast<int>(pieces_.size()); }
  std::string piece(std::int32_t id) const override {
    return pieces_[static_cast<std::size_t>(id)];
  }

  std::string serialise() const override {
    std::string lines;
    for (const std::string& piece : pieces_) lines += piece + '\n';
    return lines;
  }

 private:
  /// The first special token that stands in the text literally, and where; npos: none.
  std::pair<std::size_t, std::string_view> find_special(std::string_view text) const {
    for (std::size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at + 1))
      for (const std::string_view special : kSpecial)
        if (text.substr(at).starts_with(special) && first_.contains(special)) return {at, special};
    return {std::string_view::npos, {}};
  }

  /// The longest piece at the begin of the word, from left to right; [UNK] where there is none.
  void append_pieces(std::string_view word, std::vector<std::int32_t>& ids) const {
    const std::size_t before = ids.size();
    const auto give_up = [&] {
      ids.resize(before);
      ids.push_back(unknown_);
    };
    if (count_characters(word) > kMostWordCharacters) return give_up();
    while (!word.empty()) {
      const PieceIds& known = ids.size() == before ? first_ : next_;
      std::size_t length = std::min(longest_, word.size());
      auto found = known.find(word.substr(0, length));
      while (found == known.end() && --length > 0) found = known.find(word.substr(0, length));
      if (found == known.end()) return give_up();
      ids.push_back(found->second);
      word.remove_prefix(length);
    }
  }

  WordPieceRules rules_;
  std::vector<std::string> pieces_;
  PieceIds first_, next_;  // of pieces that begin a word, and of those that continue one
  std::size_t longest_ = 1;
  std::int32_t unknown_ = 0;
};

}  // namespace

std::unique_ptr<Tokenizer> parse_wordpiece(const config::TextConfig& config, std::string_view bytes,
                                           const std::string& source) {
  io::require_utf8(bytes, source);
  std::vector<std::string> pieces;
  std::unordered_map<std::string_view, std::int64_t> lines;
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view piece = rest.substr(0, end);
    if (piece.size() > 1 && piece.ends_with('\r')) piece.remove_suffix(1);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    pieces.emplace_back(piece);
    const auto line = std::ssize(pieces);
    const auto [first, is_new] = lines.emplace(piece, line);
    if (piece.empty() || !is_new)
      throw base::DataError(
          source + ":" + std::to_string(line) +
              (is_new ? ": an empty piece"
                      : ": repeats the piece of line " + std::to_string(first->second)),
          kDamaged);
  }
  for (const std::string_view needed : {"[UNK]", "[CLS]", "[SEP]"})
    if (!lines.contains(needed))
      throw base::DataError(source + ": holds no " + std::string(needed) +
                                ": this is no vocabulary of a WordPiece tokenizer",
                            kDamaged);
  return std::make_unique<WordPieceTokenizer>(
      WordPieceRules{config.lowercase, config.strip_accents}, std::move(pieces));
}

}  // namespace asap::text
