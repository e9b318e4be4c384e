"""What every site keeps to; a site's own test file is a subclass that names its invented things."""

from __future__ import annotations

from typing import ClassVar

import pytest

from dyvine_cli.client import Client
from dyvine_cli.errors import NotFound
from dyvine_cli.models import Cursor, Page, Post, Ref
from dyvine_cli.sites.base import Site


class SiteContract:
    """The contract. `post`, `user` and `mix` exist, `missing` never did; `listed` is how many posts the user has.

    `links` are addresses and what they mean. The fixture `client` reaches the site's stand-in.
    """

    site: str
    post: Ref
    missing: Ref
    user: Ref
    nobody: Ref
    mix: Ref
    listed: int
    links: ClassVar[dict[str, Ref]]

    def of(self, client: Client) -> Site:
        """The site as its client has it."""
        found: Site = client.site(self.site)
        return found

    async def test_links_mean_what_they_say(self, client: Client) -> None:
        """Every link means its ref, and the address of a ref means the ref again."""
        for text, ref in self.links.items():
            assert client.match(text) == ref
        for ref in (self.post, self.user, self.mix):
            assert self.of(client).match(self.of(client).url(ref)) == ref

    async def test_hosts_cover_their_own_links(self, client: Client) -> None:
        """The site's domains are among those that its calls may open."""
        site = self.of(client)

        assert set(site.hosts) <= set(site.all_hosts)
        assert all(host == host.lower() and not host.startswith(".") for host in site.all_hosts)

    async def test_a_post_has_what_it_takes_to_save_it(self, client: Client) -> None:
        """Ids, a time with its zone, and assets whose ids are unique, each with somewhere to get it."""
        post = await self.of(client).post(self.post)

        assert post.ref == self.post
        assert post.created.tzinfo is not None
        assert post.author.id
        assert len({asset.id for asset in post.assets}) == len(post.assets) > 0
        assert all(rendition.mirrors for asset in post.assets for rendition in asset.renditions)

    async def test_what_is_not_there_is_not_found(self, client: Client) -> None:
        """Ids that never existed are NotFound with the ref, not an odd answer."""
        with pytest.raises(NotFound) as post:
            await self.of(client).post(self.missing)
        with pytest.raises(NotFound) as user:
            await self.of(client).user(self.nobody)

        assert post.value.ref == self.missing
        assert user.value.ref == self.nobody

    async def test_an_account_names_itself(self, client: Client) -> None:
        """The profile's ref is the one that was asked for, and it says how many posts it claims."""
        user = await self.of(client).user(self.user)

        assert user.ref == self.user
        assert user.declared == self.listed
        assert user.nickname

    async def test_pages_lead_to_the_end(self, client: Client) -> None:
        """Every page but the last names the next; nothing of the list comes twice; a sample is part of it."""
        seen: list[str] = []
        samples: list[str] = []
        cursor: Cursor | None = None
        while True:
            page: Page = await self.of(client).page(self.user, None, cursor)
            (samples if page.sample else seen).extend(entry.ref.id for entry in page.items)
            assert all(isinstance(entry, Post) for entry in page.items)
            if page.next is None:
                break
            assert page.next != cursor
            cursor = page.next

        assert len(seen) == len(set(seen)) == self.listed
        assert set(samples) <= set(seen)

    async def test_a_mix_is_described_and_listed(self, client: Client) -> None:
        """A mix has a title, and a first page with posts of it."""
        mix = await self.of(client).mix(self.mix)
        page = await self.of(client).page(self.mix, None, None)

        assert mix.ref == self.mix
        assert mix.title
        assert page.items

    async def test_a_guest_is_no_login(self, client: Client) -> None:
        """Nobody is logged in unless a login was given."""
        assert self.of(client).profile.is_guest  # type: ignore[attr-defined]
