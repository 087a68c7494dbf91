#include "text/text_codec.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "text/sentencepiece_tokenizer.h"
#include "unit/text/small_texts.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::text;
using namespace asap::test;

TEST_CASE("a codec survives its folder, byte for byte") {
  for (const TokenizerKind kind :
       {TokenizerKind::words, TokenizerKind::bytes, TokenizerKind::sentencepiece}) {
    if (kind == TokenizerKind::sentencepiece && !has_sentencepiece()) continue;
    const TemporaryFolder folder;
    TextCodec codec;
    codec.config = pieces_config();
    codec.config.tokenizer = kind;
    const Words texts = sentences();
    codec.tokenizer = learn_tokenizer(codec.config, texts_of(texts), "t");
    codec.labels = {"pos", "neg"};
    codec.class_names = {"good", "bad"};
    codec.header = {"label", "text"};
    write_text_codec(codec, folder / "a");
    const auto read = read_text_codec(folder / "a");
    CHECK(read->labels == codec.labels);
    CHECK(read->class_names == codec.class_names);
    CHECK(read->header == codec.header);
    CHECK(read->class_of("neg") == 1);
    CHECK(read->class_of("other") == -1);
    CHECK(read->tokenizer->vocabulary() == codec.tokenizer->vocabulary());
    for (const std::string& text : texts)
      CHECK(read->tokenizer->encode(text) == codec.tokenizer->encode(text));
    write_text_codec(*read, folder / "b");
    for (const auto& entry : std::filesystem::directory_iterator(folder / "a"))
      CHECK(read_file(entry.path()) == read_file(folder / "b" / entry.path().filename()));
  }
}

TEST_CASE("damaged codecs are refused by file") {
  const TemporaryFolder folder;
  TextCodec codec;
  const Words texts{"b a b a"};
  codec.config.min_count = 1;
  codec.tokenizer = learn_tokenizer(codec.config, texts_of(texts), "t");
  codec.labels = codec.class_names = {"0", "1"};
  write_text_codec(codec, folder / "text");
  const auto refuse = [&](std::initializer_list<const char*> parts) {
    expect_error<DataError>([&] { read_text_codec(folder / "text"); }, parts);
  };
  const std::filesystem::path words = folder / "text" / "vocabulary.txt",
                              fields = folder / "text" / "codec.json";
  CHECK(read_file(words) == "a\nb\n");
  write_file_atomically(words, "a\nc\n");
  refuse({"vocabulary.txt", "not the file that the training wrote"});
  std::filesystem::remove(words);
  refuse({"vocabulary.txt"});
  const std::string good = read_file(fields);
  write_file_atomically(fields, R"({"labels": ["0", "0"], "class_names": ["a", "b"]})");
  refuse({"codec.json", "labels"});
  write_file_atomically(fields, R"({"labels": 3})");
  refuse({"codec.json", "labels"});
  write_file_atomically(fields, good.substr(0, good.size() / 2));
  refuse({"codec.json"});
}
