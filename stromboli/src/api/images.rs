//! `/images`: the server's container images, and those of the public registry.

use stromboli_generated::types::{ImageDetail, ImageInfo, ImagePullRequest, ImagePulled, ImageSearchResult};

use crate::client::{Client, path_segment};
use crate::error::Result;

/// The server's container images, from [`Client::images`].
#[derive(Clone, Debug)]
pub struct Images {
    client: Client,
}

impl Images {
    /// All local images, those that agents run in best first. Labels are not read; [`get`](Self::get) does that.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// for image in client.images().list().await?.iter().filter(|image| image.compatible) {
    ///     println!("{}:{}", image.repository, image.tag);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_unauthorized`](crate::Error::is_unauthorized); [`ErrorKind::Internal`](crate::ErrorKind::Internal) when
    /// Podman does not answer.
    #[doc(alias = "ListImages")]
    pub async fn list(&self) -> Result<Vec<ImageInfo>> {
        let list = self.client.call("images_list", self.client.raw().images_list());
        Ok(list.await?.images)
    }

    /// A local image with what its labels say.
    ///
    /// Servers find only names without a slash, such as `python:3.12`, and none that is `search` (WIRE §10). A name with
    /// a slash is sent nevertheless, in case a newer server takes it; today's answer is that there is no such image,
    /// whether there is or not. [`list`](Self::list) names them all.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let image = client.images().get("python:3.12").await?;
    /// println!("{}", image.rank_description);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::ImageNotFound`](crate::ErrorKind::ImageNotFound), for which
    /// [`is_not_found`](crate::Error::is_not_found) is true as well.
    #[doc(alias = "GetImage")]
    pub async fn get(&self, name: impl AsRef<str>) -> Result<ImageDetail> {
        let name = name.as_ref();
        path_segment("image name", name)?;
        self.client.call("image_get", self.client.raw().image_get(name)).await
    }

    /// Searches the public registry, from the server's network.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// use stromboli::ImageSearch;
    ///
    /// let images = client.images().search("python").await?;
    /// let more = client.images().search(ImageSearch::new("python").limit(100).no_trunc(true)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the registry did not answer;
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) for a query that no image's name can hold, or a limit of 0.
    #[doc(alias = "SearchImages")]
    pub async fn search(&self, search: impl Into<ImageSearch>) -> Result<Vec<ImageSearchResult>> {
        let ImageSearch { query, limit, no_trunc } = search.into();
        // More than the server gives anyway.
        let limit = limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX));
        let call = self.client.raw().images_search(limit, no_trunc, &query);
        Ok(self.client.call("images_search", call).await?.results)
    }

    /// Fetches an image from a registry, and waits until it is there: 11 minutes at most unless
    /// [`Timeouts::image_pull`](crate::Timeouts::image_pull) says otherwise.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// use stromboli::ImagePullRequest;
    ///
    /// client.images().pull("python:3.12").await?;
    /// client.images().pull(ImagePullRequest::new("node:22").platform("linux/arm64")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::ImagePullFailed`](crate::ErrorKind::ImagePullFailed);
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) for what is no image's name;
    /// [`is_timeout`](crate::Error::is_timeout).
    #[doc(alias = "PullImage")]
    pub async fn pull(&self, request: impl Into<ImagePullRequest>) -> Result<ImagePulled> {
        let request = request.into();
        self.client
            .call("image_pull", self.client.raw().image_pull(&request))
            .await
    }
}

/// What [`Images::search`] asks for; a text is one as well.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageSearch {
    /// What to search for, by the rules of image names: no spaces.
    pub query: String,
    /// The most results to give. The server takes 25 without it, and 100 for more than that.
    pub limit: Option<u32>,
    /// Whether to give descriptions in full length.
    pub no_trunc: Option<bool>,
}

impl ImageSearch {
    /// With what is required; the server's defaults apply to the rest.
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            limit: None,
            no_trunc: None,
        }
    }

    /// The most results to give. The server takes 25 without it, and 100 for more than that.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Whether to give descriptions in full length.
    #[must_use]
    pub fn no_trunc(mut self, no_trunc: bool) -> Self {
        self.no_trunc = Some(no_trunc);
        self
    }
}

impl From<&str> for ImageSearch {
    fn from(query: &str) -> Self {
        Self::new(query)
    }
}

impl From<String> for ImageSearch {
    fn from(query: String) -> Self {
        Self::new(query)
    }
}

impl Client {
    /// The server's container images. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn example(client: stromboli::Client) -> stromboli::Result<()> {
    /// let images = client.images().list().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn images(&self) -> Images {
        Images { client: self.clone() }
    }
}
