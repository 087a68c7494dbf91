#include <doctest/doctest.h>

#include "config/text_config.h"
#include "text/tokenizer.h"
#include "unit/text/small_texts.h"

using namespace asap::config;
using namespace asap::text;
using namespace asap::test;

TEST_CASE("bytes are their values plus one") {
  TextConfig config;
  config.tokenizer = TokenizerKind::bytes;
  const auto lower = learn_tokenizer(config, texts_of({}), "t");
  CHECK(lower->vocabulary() == 257);
  CHECK(lower->encode("Az\xc3\xbc") == Ids{'a' + 1, 'z' + 1, 0xc3 + 1, 0xbc + 1});
  config.lowercase = false;
  CHECK(learn_tokenizer(config, texts_of({}), "t")->encode("A") == Ids{'A' + 1});
}
