#include "text/byte_tokenizer.h"

namespace asap::text {
namespace {

constexpr int kByteValues = 256;

class ByteTokenizer final : public Tokenizer {
 public:
  explicit ByteTokenizer(bool lowercase) : lowercase_(lowercase) {}

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    ids.reserve(text.size());
    for (const char byte : text) {
      const bool capital = lowercase_ && byte >= 'A' && byte <= 'Z';
      ids.push_back(1 + static_cast<unsigned char>(byte) + (capital ? 'a' - 'A' : 0));
    }
    return ids;
  }

  int vocabulary() const override { return 1 + kByteValues; }
  std::string piece(std::int32_t id) const override {
    if (id == kUnknownToken) return "?";
    const int byte = id - 1;
    if (byte > ' ' && byte < 0x7f) return std::string(1, static_cast<char>(byte));
    static constexpr char kDigits[] = "0123456789abcdef";
    return byte == ' ' ? "␣" : std::string("\\x") + kDigits[byte / 16 % 16] + kDigits[byte % 16];
  }
  std::string serialise() const override { return {}; }

 private:
  bool lowercase_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_byte_tokenizer(const config::TextConfig& config) {
  return std::make_unique<ByteTokenizer>(config.lowercase);
}

}  // namespace asap::text
